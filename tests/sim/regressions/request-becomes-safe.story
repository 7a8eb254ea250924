# A slow link, a small window: requests wait on the token for somebody's turn until all have what was
# asked for. Then they are dropped before the token leaves, and not answered again [ORD-3], P5.
plan lossy
seed 1602946922
clients 4
faults
duration 2039103381ns
schedule
at 0.000000ms link *->* delay_min 10us
at 0.000000ms link *->* delay_max 30us
at 636.680417ms link *->d1 rate_bytes 4467291
at 636.680417ms link *->d1 queue_bytes 13080
at 1004.473807ms link d0->d1 rate_bytes 1048382
at 1047.350817ms link *->d1 rate_bytes 0
