"""The words that configurations are made of, by which their texts are short.

They are a part of what a text of version 1 means: a change here would make all texts unreadable that there are. Words
that came later are written out in a text, which then is a little longer.
"""

# fmt: off
WORDS = (
    b'"CartPole-v1""CartPolePositions-v0""Acrobot-v1""MountainCar-v0""MountainCarContinuous-v0""Pendulum-v1""LunarLand'
    b'er-v3""LunarLanderContinuous-v3""BipedalWalker-v3""BipedalWalkerHardcore-v3""CarRacing-v3""FrozenLake-v1""Frozen'
    b'Lake8x8-v1""CliffWalking-v1""Taxi-v4""Blackjack-v1""Bandit-v0""Corridor-v0""GridWorld-v0""InvertedPendulum-v5""I'
    b'nvertedDoublePendulum-v5""Reacher-v5""Pusher-v5""Swimmer-v5""Hopper-v5""Walker2d-v5""HalfCheetah-v5""Ant-v5""Hum'
    b'anoid-v5""HumanoidStandup-v5""MiniGrid-Empty-5x5-v0""MiniGrid-Empty-8x8-v0""MiniGrid-FourRooms-v0""MiniGrid-Lava'
    b'GapS7-v0""MiniGrid-SimpleCrossingS9N1-v0""MiniGrid-DoorKey-5x5-v0""MiniGrid-DoorKey-8x8-v0""MiniGrid-Unlock-v0""'
    b'MiniGrid-KeyCorridorS3R1-v0""MiniGrid-MultiRoom-N2-S4-v0""MiniGrid-MemoryS7-v0""MiniGrid-Dynamic-Obstacles-5x5-v'
    b'0""ALE/Pong-v5""ALE/Breakout-v5""ALE/Freeway-v5""ALE/Boxing-v5""ALE/SpaceInvaders-v5""ALE/Qbert-v5""ALE/Enduro-v'
    b'5""ALE/MsPacman-v5""ALE/Seaquest-v5""ALE/RoadRunner-v5""ALE/Skiing-v5""ALE/MontezumaRevenge-v5"{"kind":"tabular"'
    b',"distribution":"auto"}{"kind":"linear","distribution":"auto","features":"raw","feature_order":3,"spread":"one",'
    b'"initial_log_std":0.0}{"kind":"mlp","distribution":"auto","hidden_sizes":[64,64],"activation":"tanh","initializa'
    b'tion":"orthogonal","spread":"one","initial_log_std":0.0}{"kind":"gru","distribution":"auto","hidden_size":64,"sp'
    b'read":"one","initial_log_std":0.0}{"kind":"cnn","distribution":"auto","hidden_size":256,"spread":"one","initial_'
    b'log_std":0.0}{"kind":"episodes","episodes_per_update":16}{"kind":"fixed-length","environments":8,"steps":128}{"k'
    b'ind":"total-return"}{"kind":"reward-to-go"}{"kind":"n-step","n":5}{"kind":"gae","gae_lambda":0.95}{"kind":"none"'
    b'}{"kind":"average"}{"kind":"time-average"}{"kind":"leave-one-out"}{"kind":"optimal","per_parameter":false}{"kind'
    b'":"value","hidden_sizes":[64,64],"fitted_on":"previous","optimizer":"adam","learning_rate":0.005,"fit_steps":10,'
    b'"minibatch_size":0,"clip_range":0.0}{"kind":"shared-value","coefficient":0.01,"clip_range":0.0}{"kind":"gradient'
    b'-ascent","optimizer":"adam","learning_rate":0.01,"learning_rate_schedule":"constant","entropy_coefficient":0.0,"'
    b'max_grad_norm":0.0}{"kind":"natural-gradient","learning_rate":1.0,"learning_rate_schedule":"constant","max_kl":0'
    b'.01,"damping":0.1,"solver":"auto","cg_iterations":10,"entropy_coefficient":0.0}{"kind":"trpo","max_kl":0.01,"dam'
    b'ping":0.1,"solver":"auto","cg_iterations":10,"line_search_steps":10,"backtracking":0.8,"entropy_coefficient":0.0'
    b'}{"kind":"ppo-clip","clip_range":0.2,"clip_range_schedule":"constant","epochs":10,"minibatch_size":256,"target_k'
    b'l":0.0,"optimizer":"adam","learning_rate":0.001,"learning_rate_schedule":"constant","entropy_coefficient":0.0,"m'
    b'ax_grad_norm":0.5}{"kind":"ppo-penalty","kl_coefficient":1.0,"form":"kl","epochs":10,"minibatch_size":256,"optim'
    b'izer":"adam","learning_rate":0.001,"learning_rate_schedule":"constant","entropy_coefficient":0.0,"max_grad_norm"'
    b':0.5}{"kind":"ppo-lagrangian","target_kl":0.01,"initial_multiplier":1.0,"multiplier_step":10.0,"epochs":10,"mini'
    b'batch_size":256,"optimizer":"adam","learning_rate":0.001,"learning_rate_schedule":"constant","entropy_coefficien'
    b't":0.0,"max_grad_norm":0.5}{"kind":"off-policy","weighting":"per-decision","self_normalized":false,"truncation":'
    b'0.0,"updates_per_batch":4,"optimizer":"adam","learning_rate":0.01,"learning_rate_schedule":"constant","entropy_c'
    b'oefficient":0.0,"max_grad_norm":0.0}"exploration":{"temperature":1.0,"greedy_start":0.0,"greedy_end":0.0},"estim'
    b'ator":{"gamma":0.99},"update":{"kind":"exact-gradient","optimizer":"adam","learning_rate":0.1,"learning_rate_sch'
    b'edule":"constant","max_grad_norm":0.0},"evaluation":{"episodes":16},"budget":{"environment_steps":500000},"seed"'
    b':1,"device":"auto"}{"version":2,"config":{"environment":{"id":"CartPole-v1","options":{},"time_limit":0,"hidden"'
    b':[],"observation_noise":0.0,"frame_stack":1,"normalize_observations":false,"sticky_actions":0.0,"reward_offset":'
    b'0.0,"reward_scale":1.0,"normalize_rewards":false,"stepping":"auto","patience":4.0},"policy":{"kind":"mlp","distr'
    b'ibution":"auto","hidden_sizes":[64,64],"activation":"tanh","initialization":"orthogonal","spread":"one","initial'
    b'_log_std":0.0},"exploration":{"temperature":1.0,"greedy_start":0.0,"greedy_end":0.0},"collection":{"kind":"fixed'
    b'-length","environments":8,"steps":256},"estimator":{"credit":{"kind":"gae","gae_lambda":0.95},"baseline":{"kind"'
    b':"value","hidden_sizes":[64,64],"fitted_on":"previous","optimizer":"adam","learning_rate":0.002,"fit_steps":0,"m'
    b'inibatch_size":0,"clip_range":0.0},"gamma":0.99,"discount_states":false,"normalize_advantages":true},"update":{"'
    b'kind":"ppo-clip","clip_range":0.2,"clip_range_schedule":"linear","epochs":10,"minibatch_size":256,"target_kl":0.'
    b'0,"optimizer":"adam","learning_rate":0.001,"learning_rate_schedule":"linear","entropy_coefficient":0.0,"max_grad'
    b'_norm":0.5},"budget":{"environment_steps":200000},"seed":1,"device":"auto"}}'
)
# fmt: on
