unsigned long sum(const unsigned char *bytes, unsigned length);
