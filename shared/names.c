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

static bool
letter_or_digit(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    c == '_';
}

bool
profile_name_valid(const char *name)
{
	size_t length;

	if (!letter_or_digit(name[0]))
		return false;
	for (length = 1; name[length] != '\0'; length++)
		if (length >= PROFILE_NAME_BYTES - 1 ||
		    (!letter_or_digit(name[length]) && strchr(".@:+-", name[length]) == NULL))
			return false;
	return true;
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
