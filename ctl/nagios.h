/* `check`: a plugin for Nagios and its kin, https://nagios-plugins.org/doc/guidelines.html */
#ifndef PROCLAUNCH_CTL_NAGIOS_H
#define PROCLAUNCH_CTL_NAGIOS_H

#include "profiles.h"

enum nagios_status { NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL, NAGIOS_UNKNOWN };

/* Prints the one line with its performance data; the plugin's exit status. */
enum nagios_status nagios_report(const struct profiles *profiles);

/* Prints the line of a check that could not be made. */
enum nagios_status nagios_unknown(const char *why);

#endif
