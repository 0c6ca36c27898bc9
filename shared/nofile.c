#include <sys/resource.h>

#include "nofile.h"

static struct rlimit inherited;

void
nofile_raise(void)
{
	struct rlimit raised;

	(void)getrlimit(RLIMIT_NOFILE, &inherited); /* cannot fail with a known resource */
	raised = inherited;
	raised.rlim_cur = raised.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &raised); /* with fewer descriptors fewer profiles run */
}

int
nofile_restore(void)
{
	return setrlimit(RLIMIT_NOFILE, &inherited);
}
