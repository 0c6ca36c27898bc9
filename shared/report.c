#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

static const char *program_name = "proclaunch";

void
report_as(const char *program)
{
	program_name = program;
}

/* One write(2) a line, so that lines of several processes on one terminal do not mix. */
static void
say(int error, const char *format, va_list arguments)
{
	char line[1024];
	size_t length, room = sizeof(line) - 1;
	int wrote;

	wrote = snprintf(line, room, "%s: ", program_name);
	length = wrote < 0 ? 0 : (size_t)wrote;
	wrote = vsnprintf(line + length, room - length, format, arguments);
	if (wrote > 0)
		length += (size_t)wrote;
	if (error != 0 && length < room) {
		wrote = snprintf(line + length, room - length, ": %s", strerror(error));
		length += wrote < 0 ? 0 : (size_t)wrote;
	}
	if (length > room)
		length = room;
	line[length++] = '\n';
	/* nobody is left to tell when standard error itself is broken */
	(void)!write(STDERR_FILENO, line, length);
}

void
report_fatal(int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(error, format, arguments);
	va_end(arguments);
	_exit(1);
}

void
report_warning(int error, const char *format, ...)
{
	int before = errno;
	va_list arguments;

	va_start(arguments, format);
	say(error, format, arguments);
	va_end(arguments);
	errno = before;
}
