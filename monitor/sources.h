/* What the monitor waits for, and with which index; see main.c for the handlers. */
#ifndef PROCLAUNCH_MONITOR_SOURCES_H
#define PROCLAUNCH_MONITOR_SOURCES_H

#include "loop.h"

enum source {
	SOURCE_PARENT,
	SOURCE_LISTENER, /* the control socket */
	SOURCE_CLIENT,	 /* a place in the table of clients */
	SOURCE_FIFO,	 /* what a service prints into */
	SOURCE_COUNT
};

#endif
