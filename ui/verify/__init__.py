"""The page Verify 核验: a judge drops a file or types a number and sees what is proven, what is not, and on whose word."""
