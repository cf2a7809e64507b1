#ifndef COUNT_H
#define COUNT_H

#include <stdio.h>

#include "table.h"

/* Counts the words of a stream into a table. */
void count(FILE *in, struct table *t);

#endif
