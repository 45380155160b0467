"""Evidence as its users meet it: the public routes, the client of these routes, and the files a bidder keeps."""
