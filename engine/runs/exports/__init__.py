"""What a run of the library can be written out as, one file for each form, with one record."""
