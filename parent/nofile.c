#include <sys/resource.h>

#include "nofile.h"

static struct rlimit inherited;

uint32_t
nofile_raise(void)
{
	struct rlimit raised;

	(void)getrlimit(RLIMIT_NOFILE, &inherited); /* cannot fail with a known resource */
	raised = inherited;
	raised.rlim_cur = raised.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &raised) == -1)
		raised = inherited; /* with fewer descriptors fewer profiles run */
	return raised.rlim_cur > INT32_MAX ? INT32_MAX : (uint32_t)raised.rlim_cur;
}

int
nofile_restore(void)
{
	return setrlimit(RLIMIT_NOFILE, &inherited);
}
