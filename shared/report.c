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

void
report_line(int error, const char *format, ...)
{
	char text[900], line[1024]; /* a program's name and an errno's text fit into the rest */
	int before = errno, length;
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	length = snprintf(line, sizeof(line), "%s: %s%s%s\n", program_name, text,
	    error == 0 ? "" : ": ", error == 0 ? "" : strerror(error));
	/* one write(2) a line, so that lines of several processes on one terminal do not mix;
	 * nobody is left to tell when standard error itself is broken */
	(void)!write(STDERR_FILENO, line, (size_t)length);
	errno = before;
}
