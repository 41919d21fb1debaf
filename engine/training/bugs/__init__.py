"""Classic bugs, made on purpose where a run asks for one."""
