/*
 * What the measured services and the measuring program share: one mapped file with a place for each
 * service. All times are nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef PROCLAUNCH_BENCH_BOARD_H
#define PROCLAUNCH_BENCH_BOARD_H

#include <stdint.h>

#define LINE_BYTES 100

struct place {
	_Atomic int64_t first;	/* when the service's first instruction ran */
	_Atomic uint32_t pid;	/* written after `first`, and waited for with futex(2) */
	uint32_t padding;	/* a service that writes, also: */
	_Atomic int64_t begun;	/* its first write */
	_Atomic int64_t ended;	/* the return of its last write; 0: not yet */
	uint8_t other_line[32]; /* no two services share a cache line */
};

struct board {
	_Atomic uint32_t write_now; /* writers wait for it */
	uint32_t count;
	uint8_t other_line[56];
	struct place places[];
};

int64_t board_now(void);

/* Maps the file; ends the process when it cannot. */
struct board *board_open(const char *path);

/* Makes the file for so many services, zeroed. */
void board_make(const char *path, uint32_t count);

/* Waits while *word is `value`, for a second at most. */
void board_wait(_Atomic uint32_t *word, uint32_t value);
void board_wake(_Atomic uint32_t *word);

#endif
