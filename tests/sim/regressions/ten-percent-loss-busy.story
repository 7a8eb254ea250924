# The same under load: no member is taken for dead, and none for unable to receive.
plan baseline
seed 2
nodes 5
duration 20s
schedule
at 0.000000ms link *->* loss 0.1
