"""The row ``speed``: what training and stepping cost, here and elsewhere."""
