/*
 * For the monitor under `make check SANITIZE=1`: before each _exit(2) AddressSanitizer asks for the
 * alternate signal stack, sigaltstack(2), to clean the stack that is left behind. The filter does
 * not permit that call, and nobody returns to that stack.
 */
void __asan_handle_no_return(void);

void
__asan_handle_no_return(void)
{
}
