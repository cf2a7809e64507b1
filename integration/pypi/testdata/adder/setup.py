from setuptools import Extension, setup

setup(ext_modules=[Extension("adder", ["adder.c"])])
