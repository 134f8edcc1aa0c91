// The tests of the module begin here.
