/*
 * The one message that all processes of ProcLaunch exchange. It has one size, its members have
 * fixed widths, and it is zeroed before it is filled, so that no uninitialised byte crosses a
 * border.
 *
 * Who sent a message is known from the descriptor that it came in on; no field says so. From the
 * monitor only indices, generations and enumerations travel, never authority: it cannot name a uid,
 * a path, a pid or an argument.
 */
#ifndef PROCLAUNCH_MESSAGE_H
#define PROCLAUNCH_MESSAGE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "conversation.h"
#include "names.h"

/*
 * The catalogue: name, who sends it to whom, what it says. `proclaunch-monitor --print-messages`
 * prints it, SECURITY.md carries a copy, and a test compares the two.
 */
#define MESSAGE_CATALOGUE(MESSAGE)                                                                 \
	MESSAGE(HELLO, "all", "version and build id, first on every channel")                      \
	MESSAGE(PING, "parent to monitor, spawner", "answer, or be replaced after 10 s")           \
	MESSAGE(PONG, "monitor, spawner to parent",                                                \
	    "the answer, with the ping's number, and whether anything is under way")               \
	MESSAGE(ORDER, "parent to monitor", "all is told; leave; stop all; leave at once")         \
	MESSAGE(LOG, "parent to monitor", "the descriptor of the supervisor's log")                \
	MESSAGE(CONTROL, "parent to monitor", "the listening control socket")                      \
	MESSAGE(REPORT, "parent to monitor", "something that the parent did, to be logged")        \
	MESSAGE(PROFILE, "parent to monitor, survey to parent", "what a profile's directory says") \
	MESSAGE(SETTING, "parent to monitor and pid-file reader, survey to parent",                \
	    "the bytes of one file of a profile")                                                  \
	MESSAGE(PROCESS, "parent to monitor", "what the kernel says of a profile's process")       \
	MESSAGE(RECALL, "parent to monitor", "the last NOTE, to a monitor that has just started")  \
	MESSAGE(CLAIM, "pid-file reader to parent, parent to monitor",                             \
	    "what a pid file names; why it was refused")                                           \
	MESSAGE(START, "monitor to parent", "start the profile's process")                         \
	MESSAGE(SIGNAL, "monitor to parent", "send a signal of the fixed set to the process")      \
	MESSAGE(SWEEP, "monitor to parent", "end what is left of the profile")                     \
	MESSAGE(NOTE, "monitor to parent", "what the next monitor must know; kept in the ledger")  \
	MESSAGE(FORGET, "monitor to parent", "the profile is gone and stopped: free its index")    \
	MESSAGE(MARK, "monitor to parent, parent to monitor",                                      \
	    "what was asked before it is done, and the log may say so")                            \
	MESSAGE(GOODBYE, "monitor to parent", "the last line is written")                          \
	MESSAGE(                                                                                   \
	    FORK, "parent to spawner", "fork a child for one job, as these ids, in this place")    \
	MESSAGE(BORN, "spawner to parent", "the child's pid and pidfd, or why there is none")      \
	MESSAGE(GO, "parent to child", "the gate before the exec is open")                         \
	MESSAGE(STAGE, "child to parent", "the step of the birth that failed, and its errno")      \
	MESSAGE(SKIPPED, "survey to parent", "an entry that is no profile")                        \
	MESSAGE(SURVEYED, "survey to parent", "all that there is has been said")                   \
	MESSAGE(SETTLE, "monitor to parent",                                                       \
	    "look at the profile's files now, say when they are still")                            \
	MESSAGE(SETTLED, "parent to monitor", "they are, and all that they say has been told")     \
	MESSAGE(KEEP, "monitor to parent", "keep over boots: enabled, disabled, or neither")       \
	MESSAGE(KEPT, "parent to monitor", "it is kept, or the errno that prevented it")           \
	MESSAGE(REOPEN, "monitor to parent", "open the supervisor's log anew and hand it over")    \
	MESSAGE(FIFO, "parent to monitor", "the FIFO that a profile prints into")                  \
	MESSAGE(OPEN, "monitor to parent", "open the file of a profile's output")                  \
	MESSAGE(ROTATE, "monitor to parent", "put an output file or the log aside, begin another") \
	MESSAGE(OUTPUT, "parent to monitor", "the output file's descriptor, or why there is none") \
	MESSAGE(REMAINS, "parent to monitor", "an old output file without a name, to be freed")    \
	MESSAGE(READ, "monitor to parent", "open an output file or the log for a client to read")  \
	MESSAGE(READABLE, "parent to monitor", "its read-only descriptor, or why there is none")   \
	MESSAGE(MORE, "monitor to client", "the log that it follows has grown")                    \
	MESSAGE(ASK, "client to monitor", "a verb, and the name of a profile")                     \
	MESSAGE(ROWS, "monitor to client", "some profiles that the client may see")                \
	MESSAGE(TRANSITION, "monitor to client", "a change of state of such a profile")            \
	MESSAGE(FILE, "monitor to client", "a log file's read-only descriptor")                    \
	MESSAGE(ANSWER, "monitor to client", "how the request ended")

#define MESSAGE_ENUMERATE(name, who, what) MESSAGE_##name,
enum message_type {
	MESSAGE_NONE, /* a zeroed message is no message */
	MESSAGE_CATALOGUE(MESSAGE_ENUMERATE) MESSAGE_TYPE_COUNT
};

/* How a process of the profile stands with the kernel, as the parent knows it. */
enum process_phase {
	PHASE_NONE,   /* nothing lives */
	PHASE_ASKED,  /* the spawner was asked; nothing has been executed */
	PHASE_BORN,   /* the child has a pid and waits at the gate, or is on its way through exec */
	PHASE_UP,     /* it executed; with a pid_file the service is yet to be proved */
	PHASE_PROVED, /* this process is the service */
	PHASE_REST,   /* the service has ended, others of the profile are left */
	PHASE_COUNT
};
#define PHASE_BIT(phase) (1U << (phase))

/* How a process ended. */
enum process_end {
	END_NONE,    /* it has not, or nobody asked it to live */
	END_UNKNOWN, /* the kernel could not say */
	END_EXIT,    /* the value is its status */
	END_SIGNAL,  /* the value is the signal */
	END_UNBORN,  /* it was never executed: see stage and error */
	END_COUNT
};

/* The steps from fork to exec, in their order. What failed comes back as one of these and an errno.
 */
#define STAGE_CATALOGUE(STAGE)                                 \
	STAGE(LEDGER, "ledger")                                \
	STAGE(RATE, "too many starts")                         \
	STAGE(ACCOUNT, "user")                                 \
	STAGE(OUTPUT, "output")                                \
	STAGE(CGROUP, "cgroup")                                \
	STAGE(SPAWNER, "spawner")                              \
	STAGE(CLONE, "clone")                                  \
	STAGE(SETSID, "setsid")                                \
	STAGE(KEYRING, "keyctl")                               \
	STAGE(RLIMIT, "setrlimit")                             \
	STAGE(NICE, "setpriority")                             \
	STAGE(IO_PRIORITY, "ioprio_set")                       \
	STAGE(SCHEDULER, "sched_setscheduler")                 \
	STAGE(AFFINITY, "sched_setaffinity")                   \
	STAGE(PERSONALITY, "personality")                      \
	STAGE(OOM_SCORE, "oom_score_adj")                      \
	STAGE(SIGNALS, "sigprocmask")                          \
	STAGE(DESCRIPTORS, "dup2")                             \
	STAGE(SETGROUPS, "setgroups")                          \
	STAGE(SETRESGID, "setresgid")                          \
	STAGE(SETRESUID, "setresuid")                          \
	STAGE(REGAIN, "privileges could be regained")          \
	STAGE(VERIFY, "ids differ from those that were set")   \
	STAGE(CAPABILITIES, "capset")                          \
	STAGE(GATE, "gate")                                    \
	STAGE(DIRECTORY, "chdir")                              \
	STAGE(CHANGED, "the profile's directory was replaced") \
	STAGE(NO_NEW_PRIVS, "no_new_privs")                    \
	STAGE(EXEC, "execve")

#define STAGE_ENUMERATE(name, text) STAGE_##name,
enum stage { STAGE_NONE, STAGE_CATALOGUE(STAGE_ENUMERATE) STAGE_COUNT };

/* Why a profile is refused whole. The monitor has more reasons, for what stands in the files. */
enum refusal {
	REFUSAL_NONE,
	REFUSAL_MISSING,	/* a file that must be there is not (run) */
	REFUSAL_UNREADABLE,	/* errno says why */
	REFUSAL_LINK,		/* a symbolic link, or a second hard link to what root owns */
	REFUSAL_NOT_REGULAR,	/* a FIFO, a device, a directory, a socket */
	REFUSAL_TOO_LARGE,	/* more than SETTING_BYTES_MAX */
	REFUSAL_OWNER,		/* belongs to neither root nor the profile's owner */
	REFUSAL_WRITABLE,	/* somebody else may write to it */
	REFUSAL_NOT_EXECUTABLE, /* run has no x bit at all */
	REFUSAL_ROOT_ONLY,	/* allow_new_privs in a profile that root does not own */
	REFUSAL_NO_ACCOUNT,	/* unknown name, number, trailing junk, an owner without account */
	REFUSAL_UID_CHANGED,	/* the account has another uid than when the profile was read */
	REFUSAL_FALSE_ROOT,	/* uid 0 by another name */
	REFUSAL_NO_ROOT,	/* would run as root under --no-root */
	REFUSAL_NOT_YOU,	/* started by an ordinary user: `user` names another one */
	REFUSAL_QUOTA,		/* the tenant has more profiles than the quota allows */
	REFUSAL_GROUPS,		/* the account is in more groups than a message holds */
	REFUSAL_COUNT
};

/* What was asked for by name, and holds until something else is. */
enum wish { WISH_DEFAULT, WISH_UP, WISH_DOWN, WISH_COUNT };

/* In refused_setting: not one file is at fault but the profile's directory itself. */
#define SETTING_DIRECTORY SETTING_COUNT

enum order {
	ORDER_TOLD,	/* every profile has been told: the parent's first scan is done */
	ORDER_LEAVE,	/* SIGTERM, SIGINT: services stay */
	ORDER_STOP_ALL, /* SIGHUP */
	ORDER_LEAVE_NOW /* the second SIGHUP */
};

/* What the parent has to say that is about no profile, or about an entry that is none. */
enum report {
	REPORT_UPGRADED,	/* text: the version before */
	REPORT_NOT_UPGRADED,	/* text: the binary at fault; value: errno */
	REPORT_STARTED,		/* pid: the parent's */
	REPORT_CHILD_STARTED,	/* text: which, pid */
	REPORT_CHILD_DIED,	/* text: which, pid, end, value */
	REPORT_CHILD_HUNG,	/* text: which, pid */
	REPORT_CHILD_KEPT,	/* text: which, pid: it was killed, and does not end */
	REPORT_CHILD_SAYS,	/* text: its last words */
	REPORT_CHILD_BROKEN,	/* text: which, pid; value: the message type at fault */
	REPORT_CHILD_UNSTARTED, /* text: which; value: errno */
	/* these three may come from a survey, and in a SKIPPED there is no other */
	REPORT_SKIPPED_NAME,	/* text: an entry with a bad name */
	REPORT_SKIPPED_LINK,	/* text: an entry that is a link */
	REPORT_SKIPPED_KIND,	/* text: an entry that is neither directory nor plain file */
	REPORT_SKIPPED_ACCOUNT, /* text: a tenant's directory, named after no account */
	REPORT_SKIPPED_ROOT,	/* text: a tenant's directory, named after root */
	REPORT_SKIPPED_OWNER,	/* text: a tenant's directory that is not the tenant's alone */
	REPORT_QUOTA,		/* text: a quota file; value: the line at fault, 0: the file */
	REPORT_SKIPPED_FULL,	/* text: a profile beyond the number that the table holds */
	REPORT_UNWATCHED,	/* text: a directory that inotify could not watch; value: errno */
	REPORT_UNWATCHED_END, /* text: a profile whose processes could not be watched; value: errno
			       */
	REPORT_OVERFLOW,      /* inotify's queue ran over; all profiles are scanned again */
	REPORT_UNSCANNED,     /* text: a directory that could not be read; value: errno */
	REPORT_LEDGER,	      /* a record could not be written; value: errno */
	REPORT_NO_CGROUPS,    /* no writable cgroup v2 hierarchy: the fallback is in force */
	REPORT_FIFO_STUCK,    /* text: a profile in whose FIFO the monitor waits for ever */
	REPORT_LOST,	      /* value: reports that did not fit */
	REPORT_COUNT
};

enum hello_option {
	HELLO_ROOT = 1,	   /* the parent runs as root: the monitor has to drop to uid and gid */
	HELLO_NO_ROOT = 2, /* --no-root */
	HELLO_CHECK = 4,   /* --check: say what is wrong with each profile, start nothing */
};

struct hello {
	char version[32];
	char build[40];
	uint32_t options;
	uint32_t uid;
	uint32_t gid;
	uint32_t admin; /* who may do what root may: whoever runs the parent */
	uint32_t log_level;
	uint32_t log_rotate_keep;
	uint64_t log_rotate_size;
	uint64_t incarnation; /* differs from monitor to monitor */
	/* where the profiles are, for people to read; "" when there are none */
	char base[512];
	char tenants[512];
};

/* What a tenant may use; 0 everywhere: it is no tenant's. */
struct quota {
	uint64_t output_bytes; /* of log files, all together */
	uint32_t profiles;
	uint32_t processes; /* of the user, RLIMIT_NPROC */
	uint32_t restarts_per_minute;
	uint32_t clients; /* connections to the control socket */
};

struct profile_facts {
	char name[FULL_NAME_BYTES];
	char account[ACCOUNT_NAME_BYTES];
	uint64_t trigger; /* changes when a trigger file changes; never 0 */
	uint64_t device;
	uint64_t inode;
	uint32_t owner;
	uint32_t uid;	   /* as whom it runs */
	uint32_t present;  /* SETTING_BIT of each file that is there */
	uint32_t settings; /* to the monitor: how many MESSAGE_SETTING follow */
	uint32_t refusal;
	uint32_t refused_setting;
	uint32_t refused_error;
	uint32_t gone; /* the directory has disappeared */
	uint32_t kept; /* enum wish: what enable and disable have left for every boot */
	uint32_t padding;
	struct quota quota;
};

struct setting_bytes {
	uint32_t length;
	uint32_t padding;
	char bytes[SETTING_BYTES_MAX];
};

struct process_facts {
	uint64_t
	    trigger; /* what the process was started with; differs when the files have changed */
	int64_t started; /* clock_now() of the start */
	int64_t ended;	 /* ... and of the end */
	int32_t pid;
	uint32_t phase;
	uint32_t end; /* of the last process, until the next START */
	int32_t end_value;
	uint32_t stage;
	uint32_t error;
	uint32_t adopted; /* it was found, not started, by this parent */
	uint32_t attempt; /* the number of the START that this is about */
	uint32_t uid;	  /* as whom it was started, whatever the files say now */
	uint32_t proved;  /* it was, be it for a moment */
};

/* What a profile prints: two streams where stderr is not merged into stdout. */
enum stream { STREAM_OUTPUT, STREAM_ERROR, STREAM_COUNT };

/*
 * What a monitor must be told when its predecessor has died. The parent keeps it in the ledger and
 * believes none of it; the only thing it does with it is to give it back.
 */
struct note {
	int64_t next_start; /* clock_now() scale; 0: none planned */
	int64_t since_wall_ms;
	int64_t exit_wall_ms;
	uint64_t trigger_done; /* the trigger that a reload has already answered */
	uint32_t state;
	uint32_t wish;	   /* what was asked for by name, until something else is */
	uint32_t finished; /* ended, not to be restarted */
	uint32_t failures;
	uint32_t restarts;
	uint32_t exit_end;
	int32_t exit_pid;
	int32_t exit_value;
	/* the settings in force, for a profile whose files have been broken since, or have gone */
	uint32_t stop_signal;
	uint32_t reload_signal;
	uint32_t start_timeout;
	uint32_t stop_timeout;
	uint32_t restart;
	uint32_t kill_mode;
	uint32_t settings_known;
	uint32_t cause;
	uint32_t attempt;
	uint32_t start_flags;
	uint64_t dropped[STREAM_COUNT]; /* bytes of output that no file says yet to be missing */
	uint64_t logged; /* what the log says of it before this place has come true */
};

struct claim {
	int32_t pid;	  /* what the number was, where it was one */
	uint32_t verdict; /* enum claim_verdict */
	char text[40];	  /* what stood there, where it was no number */
};

enum claim_verdict {
	CLAIM_ABSENT,	   /* no file yet */
	CLAIM_NUMBER,	   /* a strict decimal number; the parent goes on to prove it */
	CLAIM_MALFORMED,   /* text: what stood there */
	CLAIM_NOT_REGULAR, /* a link, a FIFO, a device, a directory */
	CLAIM_TOO_LARGE,   /* more than 32 bytes */
	CLAIM_UNREADABLE,  /* pid: errno */
	CLAIM_NO_PROCESS,  /* from here on: the parent's own verdicts on a number */
	CLAIM_THREAD,	   /* a thread of a process, no process */
	CLAIM_FOREIGN,	   /* lives, but is not in this profile */
	CLAIM_ENDED,	   /* a zombie */
	CLAIM_VERDICT_COUNT
};

struct order_facts {
	uint32_t repeated; /* an earlier monitor has had it, and has logged it */
};

/* A log file, in a request for its descriptor and in the answer. */
struct file_facts {
	uint64_t size; /* of the file that is handed over */
	uint32_t stream;
	uint32_t age;	   /* 0: the file that is written, 1: the one before it */
	uint32_t keep;	   /* ROTATE: so many old ones stay */
	int32_t error;	   /* errno; 0: the descriptor is attached */
	uint32_t nameless; /* LOG: it is standard error, which nobody can open anew */
	uint32_t took_ms;  /* OUTPUT: for so long the one before was put aside */
};

/* No more old files are kept than this. */
#define ROTATE_KEEP_MAX 100
/* Smaller files would be rotated for every few lines; larger ones nobody can read. */
#define ROTATE_SIZE_MIN 4096
#define ROTATE_SIZE_MAX (1ULL << 40)

/*
 * What the monitor has asked for before this is done. The parent keeps the last one, and believes
 * none of it: a monitor that has just started is given it, and writes of the lines that its
 * predecessor has left in STATE_DIR/lines those that are true.
 */
struct mark {
	uint64_t logged;  /* these are, before this place */
	uint32_t reports; /* so many, since the monitor's start, are in these lines */
	uint32_t orders;  /* likewise, bits 1 << enum order */
};

struct report_facts {
	int32_t pid;
	int32_t value;
	uint32_t end;
	uint32_t padding;
	char text[512];
};

enum fork_task {
	TASK_RUN,      /* execute ./run */
	TASK_PID_FILE, /* read the pid file and say what it names, until told to stop */
	TASK_SURVEY,   /* survey the directories of a tenant */
	TASK_COUNT
};

/* START: how the monitor wants it. */
enum start_flag { START_SEPARATE_ERROR = 1 /* stderr has a stream of its own */ };

#define FORK_GROUPS_MAX 512

/* With it come descriptors in this order: the job and the directory, always; standard output;
 * standard error; the cgroup. */
struct fork_request {
	uint64_t
	    device; /* of the profile's directory, as it was checked; of no meaning for a survey */
	uint64_t inode;
	uint32_t task;
	uint32_t new_privs; /* do not set no_new_privs */
	uint32_t uid;
	uint32_t gid;
	uint32_t processes; /* RLIMIT_NPROC; 0: as it is */
	uint32_t group_count;
	uint32_t environment_bytes;
	uint32_t padding;
	char where[FULL_NAME_BYTES];   /* beneath the directory; "": that one */
	char name[PROFILE_NAME_BYTES]; /* SURVEY: which profile there; "": all that there is */
	char environment[1535];	       /* RUN: NAME=value strings, each with its NUL; with no
					* padding behind it */
	uint32_t groups[FORK_GROUPS_MAX];
};

struct born {
	int32_t pid;
	uint32_t task;
	int32_t error; /* errno of clone3(2) when there is no child */
};

/* PONG of the monitor. */
struct pong_facts {
	uint32_t busy; /* not 0: a profile is starting, stopping, or waits for its next start */
};

struct stage_facts {
	uint32_t stage;
	int32_t error;
};

struct message {
	uint32_t type;
	uint32_t index;	     /* of the profile in the parent's table; NO_PROFILE when about none */
	uint32_t generation; /* of the index: it changes each time that the index is used again */
	uint32_t number;     /* a signal, an order, a task, a setting, a ping's number */
	union {
		struct hello hello;
		struct profile_facts profile;
		struct setting_bytes setting;
		struct process_facts process;
		struct note note;
		struct claim claim;
		struct report_facts report;
		struct order_facts order;
		struct file_facts file;
		struct mark mark;
		struct ask ask;
		struct rows rows;
		struct transition_facts transition;
		struct answer answer;
		struct fork_request fork;
		struct born born;
		struct stage_facts stage;
		struct pong_facts pong;
	};
};

#define MESSAGE_BYTES 4120
_Static_assert(sizeof(struct message) == MESSAGE_BYTES, "the message has one size");

#define NO_PROFILE UINT32_MAX
/* How many profiles one supervisor keeps. */
#define PROFILES_MAX 16384

/* Zeroes the message and sets its type; index becomes NO_PROFILE. */
void message_begin(struct message *message, enum message_type type);

/* True when the string in the array ends inside of it; for the two below. */
#define ENDS(text) (memchr((text), '\0', sizeof(text)) != NULL)

/*
 * True when the message is of a type that some process of root receives, and every member that this
 * type uses is in its range: strings end inside their arrays, enumerations are known, counts do not
 * exceed what they count. What a state or a table has to say is the receiver's matter.
 */
bool message_valid(const struct message *message);

/* The part of it that is about a log file, in the parent's messages and in those to it. */
bool message_file_valid(const struct file_facts *file);

/* message_valid(), or unprivileged_valid() in a process that is not root's. */
typedef bool message_check(const struct message *message);

#endif
