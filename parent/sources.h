/* What the parent waits for, and with which index; see main.c for the handlers. */
#ifndef PROCLAUNCH_SOURCES_H
#define PROCLAUNCH_SOURCES_H

#include "loop.h"

enum source {
	SOURCE_SIGNALS, /* signalfd */
	SOURCE_CHILD,	/* the channel of monitor or spawner */
	SOURCE_INOTIFY,
	SOURCE_BIRTH,  /* the job of a profile's newborn */
	SOURCE_READER, /* the job of a profile's pid-file reader */
	SOURCE_SURVEY, /* the job of a survey */
	SOURCE_PIDFD,  /* a service */
	SOURCE_REST,   /* a cgroup's cgroup.events */
	SOURCE_PIN,    /* what is left of a session, where there are no cgroups */
	SOURCE_COUNT
};

#endif
