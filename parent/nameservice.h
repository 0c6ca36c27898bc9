/*
 * Name services are foreign code: the modules of /etc/nsswitch.conf are loaded into whoever asks,
 * half a MiB of them on most hosts, and a module that waits for its server keeps whoever asks
 * waiting. So a child of the parent asks, as the monitor's user, who may ask what everybody on the
 * host may: a root without capabilities would still own /etc, and get them back when it executes
 * something.
 * What is here runs in that child; `account` has it started, and asks.
 */
#ifndef PROCLAUNCH_NAMESERVICE_H
#define PROCLAUNCH_NAMESERVICE_H

#include "account.h"

#define PASSWD_FILE "/etc/passwd"
#define GROUP_FILE  "/etc/group"

/* The uids that the monitor may have, see account_for_monitor(). */
#define FREE_UID_FIRST 61184
#define FREE_UID_LAST  65519
#define FREE_UIDS      (FREE_UID_LAST - FREE_UID_FIRST + 1)

/* FREE_UID: is this uid no user's, and no group's either? */
struct question {
	enum { ACCOUNT_OF_NAME, ACCOUNT_OF_UID, FREE_UID } about;
	char name[ACCOUNT_NAME_BYTES];
	uid_t uid;
};

struct reply {
	enum refusal refusal;
	int error;	      /* of REFUSAL_UNREADABLE */
	uint32_t serves_long; /* of REFUSAL_NONE: the files say the same */
	struct account account;
};

/*
 * The life of the child: answers the questions that come on the channel, until none has come for a
 * moment. Nothing of the parent's is open in it: what hangs here keeps nothing from ending. Where
 * we are root it first becomes that user, or without `become` stays root without capabilities.
 */
_Noreturn void nameservice_answer(int channel, bool become, uid_t uid, gid_t gid);

/* True when something comes on the channel within that time, in nanoseconds; a negative one:
 * however long it takes. */
bool nameservice_speaks(int channel, int64_t within);

#endif
