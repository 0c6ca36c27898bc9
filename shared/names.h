/*
 * Names that more than one process must agree on: of profiles, of the files in a profile, of
 * signals.
 */
#ifndef PROCLAUNCH_NAMES_H
#define PROCLAUNCH_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The files of a profile that mean something; proclaunch-profile(5). Everything else is ignored. */
enum setting {
	SETTING_RUN,
	SETTING_USER,
	SETTING_PID_FILE,
	SETTING_ALLOW_NEW_PRIVS, /* a change of the four so far restarts or reloads: trigger files
				  */
	SETTING_RESTART,
	SETTING_STOP_SIGNAL,
	SETTING_RELOAD,
	SETTING_DOWN,
	SETTING_START_TIMEOUT,
	SETTING_STOP_TIMEOUT,
	SETTING_KILL_MODE,
	SETTING_OUTPUT,
	SETTING_COUNT
};

#define SETTING_BIT(setting) (1U << (setting))
/* A change of one of these reloads the profile or restarts it: proclaunch(8), CHANGES. */
#define SETTINGS_TRIGGER                                                                        \
	(SETTING_BIT(SETTING_RUN) | SETTING_BIT(SETTING_USER) | SETTING_BIT(SETTING_PID_FILE) | \
	    SETTING_BIT(SETTING_ALLOW_NEW_PRIVS))
/* Of these only the presence counts; their content is never read. */
#define SETTINGS_PRESENCE                                       \
	(SETTING_BIT(SETTING_RUN) | SETTING_BIT(SETTING_DOWN) | \
	    SETTING_BIT(SETTING_ALLOW_NEW_PRIVS))

/* No file in a profile may be larger, `run` excepted. */
#define SETTING_BYTES_MAX 4096

/* The file's name in the profile's directory; never NULL for a setting below SETTING_COUNT. */
const char *setting_name(enum setting setting);

/* 64 characters and the NUL. */
#define PROFILE_NAME_BYTES 65
/* "tenant/profile" with the NUL, rounded up: how a profile is called in the table and the log. */
#define FULL_NAME_BYTES 104
/* Linux allows an account 32 characters, useradd(8). One with more than these does not count: there
 * would be no room behind its name for the longest one of a profile. */
#define ACCOUNT_NAME_MAX   (FULL_NAME_BYTES - 1 - PROFILE_NAME_BYTES)
#define ACCOUNT_NAME_BYTES 40

/* True when `name` is [A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,63}. */
bool profile_name_valid(const char *name);

/* The states of a profile: proclaunch(8), DESCRIPTION. */
enum state { STATE_STOPPED, STATE_STARTING, STATE_RUNNING, STATE_STOPPING, STATE_COUNT };

/* The signals that ProcLaunch sends on anybody's behalf; a faked crash (SIGSEGV) is not among them.
 */
bool signal_permitted(int number);

#endif
