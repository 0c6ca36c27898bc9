/*
 * Each of our processes needs a descriptor for each profile, a service does not: the limit on open
 * files is raised for ourselves and given back before anything else is executed.
 */
#ifndef PROCLAUNCH_NOFILE_H
#define PROCLAUNCH_NOFILE_H

#include <stdint.h>

/* Remembers RLIMIT_NOFILE and raises the soft limit to the hard one. Returns how many descriptors
 * there can be. */
uint32_t nofile_raise(void);

/* Sets the remembered limit again. 0, or -1 with errno. Async-signal-safe. */
int nofile_restore(void);

#endif
