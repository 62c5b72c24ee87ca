"""Colors, type, icons: one module of values (`tokens`), and what turns them into palette and style sheet."""
