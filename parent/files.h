/*
 * The state directory and the log: opened here, checked here, and handed over as descriptors.
 */
#ifndef PROCLAUNCH_FILES_H
#define PROCLAUNCH_FILES_H

#include <sys/stat.h>

#include <stdbool.h>

#include "message.h"

/*
 * Opens the state directory, which is made (0711) when it is missing. Fatal when it is not ours
 * alone, with how to mend it. Returns its descriptor, which stays the room's.
 */
int files_open_state(const char *path);

/* What a file or a directory of ours is called that is about the profile of that name: '%', which
 * stands in no name, takes the place of the '/' in alice/web. Good until the next call. */
const char *files_name(const char *prefix, const char *profile, const char *suffix);

/* Says that what has that name in the state directory is not what it must be, or cannot be had,
 * with how to mend it and the text of `error`, unless that is 0. Does not return. */
_Noreturn void files_refuse(int error, const char *name, const char *kind, mode_t mode);

/* Opens a plain file of ours in the state directory, for reading and writing; it is made with this
 * mode when it is missing. Fatal when it cannot be, when others may do more with it, or when it has
 * another name. The descriptor is the caller's. */
int files_open_plain(int directory, const char *name, mode_t mode);

/* The same for a directory. */
int files_open_own(const char *name, mode_t mode);

/* Takes the lock. False when another proclaunch holds it, and still does half a second later. Stays
 * locked until the process ends; it is not inherited by a fork. */
bool files_lock(void);

/* The same of a file and, unless that is -1, of a directory which nobody else may read. Both wait
 * for half a second. Fatal on another error than that somebody holds it. */
bool files_take_locks(int file, int directory);

/* After an upgrade: the lock is held already, on this descriptor; fatal when there is none. */
void files_inherit_lock(int descriptor);

/* Lock and control socket are to outlive an exec; the descriptors are returned. */
void files_keep(int *lock, int *control);

/*
 * STATE_DIR/proclaunch.pid is written under another name before anything is started, and gets its
 * name when all is up; both are fatal when it cannot. When we leave it gets the other name back, so
 * that there is room for the next one's on a full disk.
 */
void files_write_pid(void);
void files_show_pid(void);
void files_hide_pid(void);

/* Binds STATE_DIR/control, to which everybody may connect; fatal when it cannot. After an upgrade
 * the socket is there already: its descriptor, else -1. */
void files_open_control(int inherited);

/* The listening socket; stays the room's. -1: there is none (--check). */
int files_control(void);

/* The empty directory that becomes the monitor's root; the caller owns the descriptor. Fatal. */
int files_open_empty(void);

/* The same where there is no state directory: an empty directory that has no name any more. */
int files_make_empty(void);

/* Where the log is: `path`, or NULL for error.log in the profiles directory, or "-" for standard
 * error, which is waited for when there is no profiles directory. Opens it once; fatal when it
 * cannot be trusted. */
void files_configure_log(const char *path, const char *profiles_directory);

/* Opens the log for appending, with its size; or, as facts->age says, for reading. The caller owns
 * the descriptor; -1 with facts->error. */
int files_open_log(struct file_facts *facts, bool read);

/* error.log becomes error.log.1 and so on. */
void files_rotate_log(unsigned keep);

#endif
