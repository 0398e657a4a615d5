"""The payments domain and its adapters: what every Lambda function of this project shares."""
