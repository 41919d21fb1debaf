"""The environments whose equations are our own: many at once, in numpy or torch alike."""
