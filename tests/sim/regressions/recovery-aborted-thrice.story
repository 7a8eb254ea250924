# Each attempt to form a ring ends with the death of one who takes part.
plan churn
seed 9
nodes 5
duration 4s
schedule
at 800.000000ms crash d4
at 1700.000000ms crash d3
at 1722.000000ms fuse d2 send 3
at 2300.000000ms start d3 kept
at 2331.000000ms fuse d1 send 4
at 2700.000000ms start d4 kept
at 2726.000000ms fuse d0 send 5
