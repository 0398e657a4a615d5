"""What is said over HTTP: requests, responses, views, pages, and every text in six languages."""
