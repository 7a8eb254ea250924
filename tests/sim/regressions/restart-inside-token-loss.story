# The representative is back before anybody missed it: it is another process, and the others learn
# it, also when it forgot all or remembers less than it had written.
plan churn
seed 5
nodes 4
duration 3s
schedule
at 900.000000ms crash d0
at 920.000000ms start d0 lost
at 1500.000000ms crash d1
at 1560.000000ms start d1 torn
at 2200.000000ms crash d2
at 2201.000000ms start d2 kept
