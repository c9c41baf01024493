"""What films are made of: data files with their sources, and how they are read."""
