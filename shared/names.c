#include <signal.h>
#include <string.h>

#include "names.h"

static const char *const setting_names[SETTING_COUNT] = {
    [SETTING_RUN] = "run",
    [SETTING_USER] = "user",
    [SETTING_PID_FILE] = "pid_file",
    [SETTING_ALLOW_NEW_PRIVS] = "allow_new_privs",
    [SETTING_RESTART] = "restart",
    [SETTING_STOP_SIGNAL] = "stop_signal",
    [SETTING_RELOAD] = "reload",
    [SETTING_DOWN] = "down",
    [SETTING_START_TIMEOUT] = "start_timeout",
    [SETTING_STOP_TIMEOUT] = "stop_timeout",
    [SETTING_KILL_MODE] = "kill_mode",
    [SETTING_OUTPUT] = "output",
};

/* Real-time signals are permitted as well; these are the classic ones. */
static const int permitted_signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGKILL, SIGUSR1, SIGUSR2,
    SIGPIPE, SIGALRM, SIGTERM, SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG,
    SIGWINCH, SIGIO, SIGPWR};

const char *
setting_name(enum setting setting)
{
	return setting_names[setting];
}

bool
profile_name_valid(const char *name)
{
	static const char permitted[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.@:+-";
	size_t length = strspn(name, permitted);

	return length > 0 && length < PROFILE_NAME_BYTES && name[length] == '\0' &&
	    strchr(".@:+-", name[0]) == NULL;
}

bool
signal_permitted(int number)
{
	size_t i;

	for (i = 0; i < sizeof(permitted_signals) / sizeof(permitted_signals[0]); i++)
		if (permitted_signals[i] == number)
			return true;
	return number >= SIGRTMIN && number <= SIGRTMAX;
}
