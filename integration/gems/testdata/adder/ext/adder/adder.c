#include <ruby.h>

static VALUE add(VALUE self, VALUE a, VALUE b) {
	return LONG2NUM(NUM2LONG(a) + NUM2LONG(b));
}

void Init_adder(void) {
	VALUE module = rb_define_module("Adder");
	rb_define_singleton_method(module, "add", add, 2);
}
