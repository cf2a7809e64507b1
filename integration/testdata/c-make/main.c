#include <stdio.h>
#include <string.h>
#include "sum.h"

int main(int argc, char **argv) {
	for (int i = 1; i < argc; i++)
		printf("%08lx %s\n", sum((unsigned char *)argv[i], strlen(argv[i])), argv[i]);
	return 0;
}
