"""Recording web pages: blind proxy, capture browser, environment checks."""
