# Three rings become one, are torn apart in the middle of it, and become one again.
plan partition
seed 3
nodes 6
duration 4s
schedule
at 500.000000ms split d0 d1 | d2 d3 | d4 d5
at 1800.000000ms open *->*
at 2080.000000ms split d0 d3 d4 | d1 d2 d5
at 3000.000000ms open *->*
