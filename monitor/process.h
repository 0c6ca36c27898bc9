/*
 * What the parent tells of the process of a profile, as events. With the first of them a monitor
 * that has just started takes the profile over, in the state that follows from the last monitor's
 * note, recall.h, and from what lives.
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
