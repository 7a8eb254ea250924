# An idle ring of five keeps its configuration for half an hour though one packet in ten is lost:
# copies of an idle token go out early where tokens get lost.
plan calm
seed 1
nodes 5
clients 0
faults
duration 1800000ms
schedule
at 0.000000ms link *->* loss 0.1
