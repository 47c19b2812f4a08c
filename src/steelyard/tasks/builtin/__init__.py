"""The data sets that come with Steelyard, one file each; dropping a file here adds a data set."""
