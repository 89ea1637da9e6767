/* An example in C as a program: its definitions as they are, its statements in a function. */
#include <jazzy.h>
#include <jazzy/redis.h>
#include <jazzy/tls.h>
#include DEFINITIONS

int main(void)
{
    jz_error error;
#include STATEMENTS
    return 0;
}
