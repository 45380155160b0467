"""The alliance as its readers meet it: members, their anchors, and the network file, each as of a block when asked."""
