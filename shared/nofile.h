/*
 * Each of our processes needs a descriptor for each profile, a service does not: the limit on open
 * files is raised for ourselves and given back before anything else is executed.
 */
#ifndef PROCLAUNCH_NOFILE_H
#define PROCLAUNCH_NOFILE_H

/* Remembers RLIMIT_NOFILE and raises the soft limit to the hard one. */
void nofile_raise(void);

/* Sets the remembered limit again. 0, or -1 with errno. Async-signal-safe. */
int nofile_restore(void);

#endif
