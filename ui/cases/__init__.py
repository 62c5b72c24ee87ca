"""The page Cases 案件: cases, their exhibits in a list of any length, and all that is known of one exhibit."""
