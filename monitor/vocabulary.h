/*
 * Everything that the supervisor's log can say, in one table: level and text. The manual,
 * proclaunch(8), THE LOG, explains each; a test compares the two.
 *
 * After the tag ProcLaunch first, then after the tag of a profile.
 */
#ifndef PROCLAUNCH_VOCABULARY_H
#define PROCLAUNCH_VOCABULARY_H

#include "log.h"

#define SAY_STARTED	  LEVEL_INFO, "started pid %d"
#define SAY_STOP_ALL	  LEVEL_INFO, "received HUP. Stopping all profiles."
#define SAY_ALL_STOPPED	  LEVEL_INFO, "all profiles stopped. Exiting."
#define SAY_STOP_NOW	  LEVEL_INFO, "received HUP again. Exiting immediately."
#define SAY_EXITING	  LEVEL_INFO, "exiting"
#define SAY_UPGRADED	  LEVEL_INFO, "upgraded from %s to %s"
#define SAY_NOT_UPGRADED  LEVEL_WARN, "not upgraded: %s: %s. The old binaries carry on."
#define SAY_CHILD_STARTED LEVEL_DEBUG, "%s started pid %d"
#define SAY_CHILD_EXITED  LEVEL_WARN, "%s died pid %d exit %d. Starting another."
#define SAY_CHILD_KILLED  LEVEL_WARN, "%s died pid %d signal %s. Starting another."
#define SAY_CHILD_SANDBOX \
	LEVEL_FATAL, "%s died pid %d signal %s: sandbox violation. Starting another."
#define SAY_CHILD_HUNG LEVEL_WARN, "%s pid %d has not answered for 10 s. Killing it."
#define SAY_CHILD_KEPT \
	LEVEL_WARN, "%s pid %d was killed and does not end: the kernel keeps it. Starting another."
#define SAY_FIFO_STUCK \
	LEVEL_WARN, "%s keeps its FIFO locked: what it prints is not read until it lets go"
#define SAY_CHILD_BROKEN    LEVEL_WARN, "%s pid %d broke the protocol with %s. Killing it."
#define SAY_CHILD_SAYS	    LEVEL_WARN, "%s"
#define SAY_CHILD_UNSTARTED LEVEL_WARN, "cannot start the %s: %s. Trying again."
#define SAY_SKIPPED_NAME                                                                           \
	LEVEL_WARN,                                                                                \
	    "skipped %s: not a name for a profile: up to 64 letters, digits and _ . @ : + -, the " \
	    "first a letter, a digit or _"
#define SAY_SKIPPED_LINK \
	LEVEL_WARN, "skipped %s: a symbolic link is never followed: put the directory itself there"
#define SAY_SKIPPED_KIND    LEVEL_WARN, "skipped %s: neither a directory nor a plain file: remove it"
#define SAY_SKIPPED_ACCOUNT LEVEL_WARN, "skipped tenant %s: there is no account of that name"
#define SAY_SKIPPED_ROOT    LEVEL_WARN, "skipped tenant %s: root is nobody's tenant"
#define SAY_SKIPPED_OWNER                                                                       \
	LEVEL_WARN,                                                                             \
	    "skipped tenant %s: its directory must belong to the account, and nobody else may " \
	    "write to it"
#define SAY_QUOTA_FILE                                                                            \
	LEVEL_WARN,                                                                               \
	    "cannot use %s.quota: it must be a plain file of at most 4096 bytes that root alone " \
	    "can write to"
#define SAY_QUOTA_LINE                                                                           \
	LEVEL_WARN,                                                                              \
	    "cannot use %s.quota, line %d: a line is one of profiles, processes, output_bytes, " \
	    "restarts_per_minute and clients, a space, and a number above 0"
#define SAY_SKIPPED_FULL LEVEL_WARN, "skipped %s: there are too many profiles"
#define SAY_UNWATCHED	 LEVEL_WARN, "cannot watch %s: %s. Changes are seen with --rescan only."
#define SAY_UNWATCHED_END \
	LEVEL_WARN, "cannot watch the processes of %s: %s. Their end is noticed late."
#define SAY_OVERFLOW  LEVEL_WARN, "too many changes at once. Scanning all profiles again."
#define SAY_UNSCANNED LEVEL_WARN, "cannot read %s: %s"
#define SAY_LEDGER    LEVEL_WARN, "cannot record %s in the ledger: %s"
#define SAY_NO_CGROUPS \
	LEVEL_WARN, "no writable cgroup v2 hierarchy: processes are known by their session"
#define SAY_REPORTS_LOST LEVEL_WARN, "%d events happened too fast to be logged"
#define SAY_UNROTATED	 LEVEL_WARN, "the log cannot be put aside, and grows"
#define SAY_LINES_LOST	 LEVEL_WARN, "%u lines could not be written and are lost"
#define SAY_LEFT_OUT \
	LEVEL_WARN, "%u lines about profiles of uid %u were left out: there are too many"

#define SAY_COMMAND_REFUSED	 LEVEL_WARN, "refused %s by uid %u"
#define SAY_COMMAND_REFUSED_NAME LEVEL_WARN, "refused %s by uid %u: %s"
#define SAY_CHECKED_NONE \
	LEVEL_WARN, "no profile is in this directory: name the one that profiles stand in"
#define SAY_CHECKED LEVEL_INFO, "%u profiles checked, %u at fault, %u other entries skipped"

#define SAY_COMMAND_BY	      LEVEL_INFO, "%s by uid %u"
#define SAY_SIGNAL_BY	      LEVEL_INFO, "%s %s by uid %u"
#define SAY_STARTING	      LEVEL_INFO, "starting"
#define SAY_RUNNING	      LEVEL_INFO, "running pid %d"
#define SAY_STOPPING	      LEVEL_INFO, "stopping"
#define SAY_STOPPED	      LEVEL_INFO, "stopped"
#define SAY_RELOADING	      LEVEL_INFO, "reloading"
#define SAY_OUTPUT_STUCK      LEVEL_WARN, "its output cannot be written and waits: %s"
#define SAY_OUTPUT_UNREADABLE LEVEL_WARN, "a part of its output cannot be read, and is dropped: %s"
#define SAY_OUTPUT_RESUMED    LEVEL_INFO, "its output is written again"
#define SAY_OUTPUT_DROPPING \
	LEVEL_WARN, "its output has waited for %u s, and is dropped until it can be written"
#define SAY_OUTPUT_UNROTATED LEVEL_WARN, "its output file cannot be put aside, and grows"
#define SAY_OUTPUT_DROPPED   LEVEL_WARN, "its output is written again, %llu bytes were dropped"
#define SAY_OUTPUT_GONE \
	LEVEL_WARN, "its output could not be written to its end, %llu bytes were dropped"
#define SAY_OUTPUT_LOST	   LEVEL_WARN, "its output cannot be watched: %s"
#define SAY_DISAPPEARED	   LEVEL_INFO, "disappeared. Stopping and not restarting."
#define SAY_CHANGED	   LEVEL_INFO, "changed. Restarting."
#define SAY_DIED_EXIT	   LEVEL_INFO, "died pid %d exit %d"
#define SAY_DIED_SIGNAL	   LEVEL_INFO, "died pid %d signal %s"
#define SAY_DIED	   LEVEL_INFO, "died pid %d"
#define SAY_ENDED_EXIT	   LEVEL_DEBUG, "ended pid %d exit %d"
#define SAY_ENDED_SIGNAL   LEVEL_DEBUG, "ended pid %d signal %s"
#define SAY_ENDED	   LEVEL_DEBUG, "ended pid %d"
#define SAY_LEFTOVERS	   LEVEL_DEBUG, "ending what pid %d has left behind"
#define SAY_CANNOT_START   LEVEL_WARN, "cannot start: %s"
#define SAY_WAITING	   LEVEL_INFO, "starting again in %d.%03d s"
#define SAY_QUOTA_RESTARTS LEVEL_WARN, "over the tenant's quota of %u restarts a minute"
#define SAY_LATE_PID_FILE \
	LEVEL_WARN, "pid_file has named no process of this profile within %u s (start_timeout)"
#define SAY_LATE    LEVEL_WARN, "has not been executed within %u s (start_timeout)"
#define SAY_KILLING LEVEL_WARN, "still there %u s after the stop signal: sending SIGKILL"
#define SAY_STILL_STOPPING \
	LEVEL_WARN, "still there %u s after the stop signal, and has no stop_timeout: waiting"
#define SAY_REFUSED	     LEVEL_WARN, "refused: %s"
#define SAY_MENDED	     LEVEL_INFO, "accepted"
#define SAY_CLAIM_PID	     LEVEL_WARN, "refused: pid_file names pid %d, %s"
#define SAY_CLAIM_TEXT	     LEVEL_WARN, "refused: pid_file names \"%s\", which is not a pid"
#define SAY_CLAIM_FILE	     LEVEL_WARN, "refused: pid_file names a file that %s"
#define SAY_CLAIM_UNREADABLE LEVEL_WARN, "refused: pid_file names a file that cannot be read: %s"
#define SAY_CLAIMS_MANY \
	LEVEL_WARN, "refused: pid_file has named %u wrong pids; further ones are not logged"

#endif
