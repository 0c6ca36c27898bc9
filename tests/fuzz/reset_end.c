/* Linked behind the objects whose variables are put back. */
#include <stdalign.h>

#include "reset_marks.h"

alignas(RESET_PAGE) char reset_data_end[RESET_PAGE] = {1};
alignas(RESET_PAGE) char reset_bss_end[RESET_PAGE];
