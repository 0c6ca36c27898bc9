/*
 * Libraries that only some verbs need, loaded when one of them does: to load both takes longer than
 * the supervisor takes to answer. They are those that this is compiled against, and as trusted as
 * if they were linked.
 */
#ifndef PROCLAUNCH_CTL_LIBRARY_H
#define PROCLAUNCH_CTL_LIBRARY_H

#include <stdint.h>

/* Loads it by the name that its ABI has; NULL: said on standard error. It stays loaded. */
void *library_load(const char *name);

/* One of its functions; NULL: said on standard error. */
void *library_function(void *library, const char *name);

/* For a list of functions, DO(function) each: a pointer to each, of its type, and what finds it. */
#define LIBRARY_POINTER(function) __typeof__(function) *function;
#define LIBRARY_FIND(pointers, library, function) \
	((pointers).function = library_function(library, #function)) != NULL

/* Names the library to who makes packages, as DT_NEEDED would:
 * https://uapi-group.org/specifications/specs/elf_dlopen_metadata/ */
#define LIBRARY_NOTE(library, what)                                                          \
	static const struct {                                                                \
		uint32_t owner_size, text_size, type;                                        \
		char owner[4];                                                               \
		char text[sizeof(LIBRARY_NOTE_TEXT(library, what))];                         \
	} note __attribute__((used, section(".note.dlopen"), aligned(sizeof(uint32_t)))) = { \
	    sizeof("FDO"), sizeof(LIBRARY_NOTE_TEXT(library, what)), 0x407c0c0a, "FDO",      \
	    LIBRARY_NOTE_TEXT(library, what)}
#define LIBRARY_NOTE_TEXT(library, what)                                            \
	"[{\"feature\":\"" what "\",\"description\":\"" what " of proclaunchctl\"," \
	"\"priority\":\"required\",\"soname\":[\"" library "\"]}]"

#endif
