#include <dlfcn.h>
#include <stddef.h>

#include "library.h"
#include "report.h"

void *
library_load(const char *name)
{
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);

	if (library == NULL)
		warningx("%s", dlerror());
	return library;
}

void *
library_function(void *library, const char *name)
{
	void *function = library == NULL ? NULL : dlsym(library, name);

	if (library != NULL && function == NULL)
		warningx("%s", dlerror());
	return function;
}
