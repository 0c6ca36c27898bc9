/* The first and the last variables of the objects that are put back, a page each. */
#ifndef PROCLAUNCH_FUZZ_RESET_MARKS_H
#define PROCLAUNCH_FUZZ_RESET_MARKS_H

#define RESET_PAGE 4096

extern char reset_data_begin[], reset_data_end[];
extern char reset_bss_begin[], reset_bss_end[];

#endif
