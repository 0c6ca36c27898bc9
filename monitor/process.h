/*
 * What the parent tells of the process of a profile, as events. With the first word on it a monitor
 * takes the profile over: as the note of the last one, recall.h, and what lives say together.
 */
#ifndef PROCLAUNCH_MONITOR_PROCESS_H
#define PROCLAUNCH_MONITOR_PROCESS_H

#include "channel.h"

/* PROCESS has come from the parent: how it stands now. What is about an earlier process than the
 * one that was asked for last is passed over, and everything once we have begun to leave. */
void process_hear(void *subject, struct incoming *incoming);

/* CLAIM has come: its pid file names what is not in the profile. */
void process_hear_claim(void *subject, struct incoming *incoming);

#endif
