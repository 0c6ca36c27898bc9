/*
 * A block that is freed twice: whichever tool does not find it is not there, or looks at nothing,
 * and what it says of the other files is worth nothing.
 */
#include <stdlib.h>

void planted(char *block);

void
planted(char *block)
{
	free(block);
	free(block);
}
