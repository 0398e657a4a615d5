"""The payments domain and its adapters: what every Lambda function of this project shares."""

import gc

# Starting makes many objects and no garbage: looking for it less often makes cold starts shorter.
gc.set_threshold(50_000)
