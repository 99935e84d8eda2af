"""Reports that are files, each named by its file: the page, pictures, and tables for papers and slides."""
